"""The words of the simulated communities: written for this project, one phrase a line, `{slots}` filled when spoken."""
