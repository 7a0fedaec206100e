# Shows an exception that nothing has raised, next to a warning shown with st.exception.
import streamlit as st

st.exception(RuntimeError("This is what an error looks like."))
st.exception(DeprecationWarning("This is what a warning looks like."))
st.write("The end of the style guide.")
