"""The rules, one small function each. A new one needs nothing but `@rule` above it, in any file of this folder."""
