# Imports a module of its own that is no valid Python.
import streamlit as st

import helpers

st.write(helpers.answer())
