# Fails after several good elements.
import streamlit as st

st.title("Orders")
st.write("The orders of the last week:")
st.write([1, 2, 3])
orders = {"monday": 3}
st.metric("Sunday", orders["sunday"])
