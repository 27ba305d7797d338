module paycore

go 1.21
