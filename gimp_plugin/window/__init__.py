"""The live window, made of GTK's and GIMP's widgets. It shows a session and passes on wishes."""
