# Shows a whole traceback in st.error, and a note in st.warning.
import traceback

import streamlit as st

try:
    open("/no/such/file")
except OSError:
    st.error(traceback.format_exc())
st.warning("Uncaught app exceptions are shown like this.")
