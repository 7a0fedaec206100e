# Causes warnings in the log, among them one with a traceback.
import traceback
import warnings

import streamlit as st

warnings.warn("This will change.", DeprecationWarning)
st.title("Old but good")
try:
    [][1]
except IndexError:
    traceback.print_exc()
