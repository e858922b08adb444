package io.theseus.admin.jmx;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Optional;
import javax.management.MBeanOperationInfo;
import javax.management.MBeanParameterInfo;
import javax.management.StandardMBean;

/** The MBean with the names of parameters, and what operations are for, as consoles show them. */
final class NamedBean extends StandardMBean {
  NamedBean(TheseusMXBean bean) {
    super(bean, TheseusMXBean.class, /* isMXBean= */ true);
  }

  @Override
  protected String getDescription(MBeanOperationInfo operation) {
    return method(operation)
        .map(each -> each.getAnnotation(Description.class))
        .map(Description::value)
        .orElseGet(() -> super.getDescription(operation));
  }

  @Override
  protected String getParameterName(
      MBeanOperationInfo operation, MBeanParameterInfo parameter, int sequence) {
    return method(operation)
        .map(each -> each.getParameters()[sequence].getName())
        .orElseGet(() -> super.getParameterName(operation, parameter, sequence));
  }

  private static Optional<Method> method(MBeanOperationInfo operation) {
    String[] wanted =
        Arrays.stream(operation.getSignature())
            .map(MBeanParameterInfo::getType)
            .toArray(String[]::new);
    return Arrays.stream(TheseusMXBean.class.getMethods())
        .filter(each -> each.getName().equals(operation.getName()))
        .filter(
            each ->
                Arrays.equals(
                    wanted,
                    Arrays.stream(each.getParameterTypes())
                        .map(Class::getName)
                        .toArray(String[]::new)))
        .findFirst();
  }
}
