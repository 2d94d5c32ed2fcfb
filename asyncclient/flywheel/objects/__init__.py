"""What objects of the service can do: the methods of containers, files, gears, jobs.

An object that came from a client acts through that client. With an ``AsyncClient``, methods that talk to the service give
something to await; with a ``Client`` they give the result itself.
"""
