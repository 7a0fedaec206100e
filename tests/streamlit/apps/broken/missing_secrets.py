# Needs st.secrets, but there is no secrets.toml.
import streamlit as st

st.title("Chat")
st.write("Key:", st.secrets["OPENAI_API_KEY"][:3])
