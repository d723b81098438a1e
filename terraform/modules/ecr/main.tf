# A repository per program.

#trivy:ignore:AVD-AWS-0031 Immutable but for the tags of branches, which follow them; what is deployed is named by digest.
resource "aws_ecr_repository" "this" {
  for_each             = var.repositories
  name                 = each.key
  image_tag_mutability = "IMMUTABLE_WITH_EXCLUSION"

  dynamic "image_tag_mutability_exclusion_filter" {
    for_each = var.moving_tags
    content {
      filter      = image_tag_mutability_exclusion_filter.value
      filter_type = "WILDCARD"
    }
  }
  image_scanning_configuration {
    scan_on_push = true
  }
  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = var.key_arn
  }
}

# An image that a rule matches is out of reach of the rules after it: a commit that became a release counts as a release.
# By number, not by age: what an idle environment runs must not vanish under it.
resource "aws_ecr_lifecycle_policy" "this" {
  for_each   = aws_ecr_repository.this
  repository = each.value.name
  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "Releases"
        selection    = { tagStatus = "tagged", tagPatternList = ["v*"], countType = "imageCountMoreThan", countNumber = var.releases_kept }
        action       = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "Commits"
        selection    = { tagStatus = "tagged", tagPatternList = ["sha-*"], countType = "imageCountMoreThan", countNumber = var.commits_kept }
        action       = { type = "expire" }
      },
      {
        rulePriority = 3
        description  = "What lost its tag to a newer push"
        selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 14 }
        action       = { type = "expire" }
      },
    ]
  })
}
