module change

go 1.22
