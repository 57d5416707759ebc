package io.sluice.spring;

import io.sluice.s3.S3ClientSpec;
import io.sluice.s3.S3ObjectStore;
import io.sluice.storage.StoreProvider.Location;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Condition;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.type.AnnotatedTypeMetadata;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.services.s3.S3AsyncClient;

/** A location {@code s3://bucket/prefix/}, where sluice-s3 is on the class path. A class of its own, as that may be absent. */
@Configuration(proxyBeanMethods = false)
@ConditionalOnClass(S3ObjectStore.class)
@Conditional(S3Configuration.Wanted.class)
class S3Configuration {

    private static final String SCHEME = "s3://";

    @Bean
    @ConditionalOnMissingBean
    S3AsyncClient sluiceS3Client(SluiceProperties properties) {
        SluiceProperties.S3 s3 = properties.s3();
        S3ClientSpec spec = S3ClientSpec.create();
        spec = s3.endpoint() == null ? spec : spec.endpoint(s3.endpoint());
        spec = s3.region() == null ? spec : spec.region(s3.region());
        spec = s3.profile() == null ? spec : spec.profile(s3.profile());
        spec = s3.anonymous() ? spec.anonymous() : spec;
        if (s3.accessKey() != null && s3.secretKey() != null) {
            spec = spec.credentials(
                    StaticCredentialsProvider.create(AwsBasicCredentials.create(s3.accessKey(), s3.secretKey())));
        }
        return spec.client();
    }

    @Bean
    @ConditionalOnMissingBean
    Location sluiceLocation(SluiceProperties properties, S3AsyncClient client) {
        String[] bucketAndPrefix =
                properties.location().substring(SCHEME.length()).split("/", 2);
        String prefix = bucketAndPrefix.length == 1 ? "" : bucketAndPrefix[1];
        return new Location(
                S3ObjectStore.create(client, bucketAndPrefix[0]),
                prefix.isEmpty() || prefix.endsWith("/") ? prefix : prefix + "/");
    }

    static class Wanted implements Condition {
        @Override
        public boolean matches(ConditionContext context, AnnotatedTypeMetadata metadata) {
            return context.getEnvironment().getProperty("sluice.location", "").startsWith(SCHEME);
        }
    }
}
