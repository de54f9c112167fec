"""The commands of whoever runs the server, on its own machine: they open its database, whether it runs or not.

Who can read and write the home may do anything with it anyhow, so these ask for no key. A running server notices a
change of the keys within a second.
"""
