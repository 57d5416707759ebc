package io.sluice.testing;

import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.opentest4j.TestAbortedException;
import org.testng.SkipException;
import org.testng.annotations.AfterClass;
import org.testng.annotations.BeforeClass;
import org.testng.annotations.BeforeMethod;
import org.testng.annotations.Test;

/**
 * Runs a verification of the Reactive Streams TCK, whose tests are TestNG's, under JUnit: a test class extends the
 * verification and implements this. What the TCK skips is reported as aborted, with its reason.
 */
public interface TckTests {

    /** One JUnit test for each of the verification's rules. */
    @TestFactory
    default Stream<DynamicTest> tck() {
        List<Method> methods = List.of(getClass().getMethods());
        // one instance for each test, so what TestNG does once for a class is done for each as well
        List<Method> before = methods.stream()
                .filter(m -> m.isAnnotationPresent(BeforeClass.class) || m.isAnnotationPresent(BeforeMethod.class))
                .sorted(Comparator.comparing(m -> m.isAnnotationPresent(BeforeMethod.class)))
                .toList();
        List<Method> after = methods.stream()
                .filter(m -> m.isAnnotationPresent(AfterClass.class))
                .toList();
        return methods.stream()
                .filter(m -> m.isAnnotationPresent(Test.class))
                .sorted(Comparator.comparing(Method::getName))
                .map(m -> dynamicTest(m.getName(), () -> {
                    for (Method setUp : before) {
                        call(setUp);
                    }
                    try {
                        call(m);
                    } finally {
                        for (Method tearDown : after) {
                            call(tearDown);
                        }
                    }
                }));
    }

    private void call(Method method) throws Throwable {
        try {
            method.invoke(this);
        } catch (InvocationTargetException e) {
            Throwable cause = e.getCause();
            throw cause instanceof SkipException ? new TestAbortedException(cause.getMessage(), cause) : cause;
        }
    }
}
