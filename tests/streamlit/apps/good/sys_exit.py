# Ends its run with sys.exit, after it has shown everything.
import sys

import streamlit as st

st.title("Short")
st.write("That is all.")
sys.exit()
