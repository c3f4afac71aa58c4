"""The promises of `chatroom.backplane.Backplane`, held against every backplane there is."""
