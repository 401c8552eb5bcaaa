"""The compiled twins of the operations, each under the name of its operation.

None is built yet: every operation runs its NumPy formula. `@operation` looks here by name, so a twin that appears
is used without any other change.
"""
