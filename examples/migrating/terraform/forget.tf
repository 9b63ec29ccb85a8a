removed {
  from = aws_imagebuilder_distribution_configuration.golden

  lifecycle {
    destroy = false
  }
}
