# Fails inside a fragment. What comes after it is shown.
import streamlit as st


@st.fragment
def part():
    raise ValueError("The fragment fails.")


st.title("Fragment")
part()
st.write("After it")
