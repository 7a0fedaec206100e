def original():
    return "the old name"
