# Uses a function that its own module no longer has.
import streamlit as st

import helpers

st.title("Helpers")
st.write(helpers.renamed())
