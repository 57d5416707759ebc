/** Spring Boot's way to Sluice: the store and the data sets of an application as beans. Uses Sluice's API only. */
@NullMarked
package io.sluice.spring;

import org.jspecify.annotations.NullMarked;
