"""The native kernel: it maps the common items of a data file, many times as fast as the mapper.

The mapper is the reference. The kernel hands every line back to it that is not plain, such as one that is rejected, and
where the kernel is not installed the mapper maps all. Both give the same bytes, counts and digests.
"""
