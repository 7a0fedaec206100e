# Writes into placeholders, rewrites them, and empties them.
import streamlit as st

first, second = st.empty(), st.container()
first.write("one")
first.write("two")
second.write("below")
first.empty()
with st.status("Steps") as status:
    st.write("a step")
    status.update(label="Done", state="complete")
