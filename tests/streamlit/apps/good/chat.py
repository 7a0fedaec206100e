# Streams an answer word by word, as a chat does.
import time

import streamlit as st


def words():
    for word in "This answer arrives word by word.".split():
        yield word + " "
        time.sleep(0.1)


with st.chat_message("assistant"):
    st.write_stream(words())
st.chat_input("Ask something")
