"""One backport request, target branch by target branch: plan → pick → prove → publish, and what is kept on the way."""
