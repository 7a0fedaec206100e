# Shows an exception on purpose as its last element, then stops.
import streamlit as st

st.title("Check of the settings")
try:
    {}["model"]
except KeyError as exception:
    st.exception(exception)
    st.stop()
