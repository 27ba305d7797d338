module beside

go 1.27
