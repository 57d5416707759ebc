package io.sluice;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaType;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the packages may know of each other. */
class ArchitectureTest {

    private static final JavaClasses MAIN = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("io.sluice");

    private static final DescribedPredicate<JavaClass> API = not(resideInAPackage("..internal.."));

    @Test
    void codecsAndFormatsAreFreeOfReactor() {
        noClasses()
                .that()
                .resideInAnyPackage("io.sluice.codec..", "io.sluice.format..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("reactor..", "org.reactivestreams..")
                .because("they are sans-IO: plain objects that are fed bytes")
                .check(MAIN);
    }

    @Test
    void codecsAndFormatsKnowNoStore() {
        noClasses()
                .that()
                .resideInAnyPackage("io.sluice.codec..", "io.sluice.format..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.sluice.storage..")
                .check(MAIN);
    }

    @Test
    void storesKnowNoFormatAndNoCodec() {
        noClasses()
                .that()
                .resideInAPackage("io.sluice.storage..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.sluice.codec..", "io.sluice.format..")
                .check(MAIN);
    }

    @Test
    void everyPackageSaysWhatIsNull() {
        Set<String> unmarked = new TreeSet<>();
        MAIN.forEach(type -> {
            if (type.getPackage()
                    .tryGetAnnotationOfType("org.jspecify.annotations.NullMarked")
                    .isEmpty()) {
                unmarked.add(type.getPackageName());
            }
        });
        assertThat(unmarked).as("packages without @NullMarked").isEmpty();
    }

    @Test
    void publicSignaturesNameNoInternalType() {
        classes()
                .that(API)
                .should(exposeNothingOf(resideInAPackage("io.sluice..internal..")))
                .check(MAIN);
    }

    @Test
    void publicSignaturesNameNoJacksonType() {
        classes()
                .that(API)
                .and()
                .resideOutsideOfPackages("io.sluice.format.jackson2..", "io.sluice.format.jackson3..")
                .should(exposeNothingOf(resideInAnyPackage("com.fasterxml.jackson..", "tools.jackson..")))
                .check(MAIN);
    }

    @Test
    void noTwoPackagesNeedEachOther() {
        // the exceptions and reports of the root package are everyone's, so it may be needed by those it needs; below
        // it, no cycles
        TreeMap<String, Set<String>> needs = new TreeMap<>();
        MAIN.forEach(type -> type.getDirectDependenciesFromSelf().forEach(dependency -> {
            String from = type.getPackageName();
            String to = dependency.getTargetClass().getBaseComponentType().getPackageName();
            if (to.startsWith("io.sluice") && !to.equals(from) && !isRoot(from) && !isRoot(to)) {
                needs.computeIfAbsent(from, k -> new TreeSet<>()).add(to);
            }
        }));
        needs.forEach((from, direct) -> {
            Set<String> seen = new LinkedHashSet<>(direct);
            for (boolean grew = true; grew; ) {
                grew = Set.copyOf(seen).stream()
                        .flatMap(p -> needs.getOrDefault(p, Set.of()).stream())
                        .map(seen::add)
                        .reduce(false, Boolean::logicalOr);
            }
            assertThat(seen).as("what %s needs, directly and indirectly", from).doesNotContain(from);
        });
    }

    private static boolean isRoot(String packageName) {
        return packageName.equals("io.sluice") || packageName.startsWith("io.sluice.internal");
    }

    private static ArchCondition<JavaClass> exposeNothingOf(DescribedPredicate<? super JavaClass> hidden) {
        return new ArchCondition<>("have no public signature with classes that " + hidden.getDescription()) {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                if (!isVisible(type)) {
                    return;
                }
                Stream.concat(Stream.of(type.getSuperclass().orElse(null)), type.getInterfaces().stream())
                        .filter(parent -> parent != null)
                        .forEach(parent -> report(type.getFullName(), parent, events));
                for (JavaField field : type.getFields()) {
                    if (isVisible(field)) {
                        report(field.getFullName(), field.getType(), events);
                    }
                }
                for (JavaCodeUnit unit : type.getCodeUnits()) {
                    if (isVisible(unit)) {
                        report(unit.getFullName(), unit.getReturnType(), events);
                        unit.getParameterTypes().forEach(p -> report(unit.getFullName(), p, events));
                    }
                }
            }

            private void report(String member, JavaType exposed, ConditionEvents events) {
                for (JavaClass raw : exposed.getAllInvolvedRawTypes()) {
                    if (hidden.test(raw.getBaseComponentType())) {
                        events.add(SimpleConditionEvent.violated(raw, member + " exposes " + raw.getFullName()));
                    }
                }
            }
        };
    }

    private static boolean isVisible(JavaClass type) {
        return type.getModifiers().contains(JavaModifier.PUBLIC)
                && type.getEnclosingClass().map(ArchitectureTest::isVisible).orElse(true);
    }

    private static boolean isVisible(JavaMember member) {
        return member.getModifiers().contains(JavaModifier.PUBLIC)
                || member.getModifiers().contains(JavaModifier.PROTECTED);
    }
}
