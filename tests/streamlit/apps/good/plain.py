# Shows a title, some text and a button.
import streamlit as st

st.title("A plain app")
name = st.text_input("Name", "world")
st.write(f"Hello, {name}.")
if st.button("Count"):
    st.session_state.count = st.session_state.get("count", 0) + 1
st.write("Clicks:", st.session_state.get("count", 0))
