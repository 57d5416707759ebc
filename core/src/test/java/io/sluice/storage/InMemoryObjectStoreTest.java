package io.sluice.storage;

class InMemoryObjectStoreTest extends ObjectStoreContract {

    private final InMemoryObjectStore store = InMemoryObjectStore.create();

    @Override
    protected ObjectStore store() {
        return store;
    }
}
