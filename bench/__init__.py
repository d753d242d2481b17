"""Speed and exactness against the published rules and the plain way: `make bench`."""
