# Logs a handled error with its traceback.
import logging

import streamlit as st

try:
    {}["cache"]
except KeyError:
    logging.getLogger("app").exception("The cache is empty, the page works without it")
st.title("Works without its cache")
