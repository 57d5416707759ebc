/** Tests of the stores, and the contract that stores of other modules are held to as well. */
package io.sluice.storage;
