/** Tests of the S3 store, against a server in the same process and a proxy that makes it misbehave. */
@NullMarked
package io.sluice.s3;

import org.jspecify.annotations.NullMarked;
