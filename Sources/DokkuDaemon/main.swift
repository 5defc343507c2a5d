// The daemon's entry.
print("not yet")
