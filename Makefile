.PHONY: run test deep

run:
	python3 bootstrap.py run

test:
	python3 bootstrap.py test

deep:
	python3 bootstrap.py test --deep
