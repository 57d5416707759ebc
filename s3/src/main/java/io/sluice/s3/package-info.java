/**
 * Amazon S3, and what speaks its protocol, as an {@link io.sluice.storage.ObjectStore}: the store, its specs, and an HTTP
 * client for the AWS SDK on Reactor Netty. The only package that knows AWS types.
 */
@NullMarked
package io.sluice.s3;

import org.jspecify.annotations.NullMarked;
