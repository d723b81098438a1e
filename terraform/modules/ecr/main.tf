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
# By number, not by age: what an idle environment runs must not vanish under it. And nothing that has no tag: so are the
# platforms of an image and its signature, without which it cannot be pulled or is not deployed. ECR takes them away with the
# image that they belong to.
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
    ]
  })
}

# Roles of praxis in the other accounts, nodes and deployments, and nobody else there. An account's own need no such word.
resource "aws_ecr_repository_policy" "pull" {
  for_each   = length(var.pull_account_ids) == 0 ? {} : aws_ecr_repository.this
  repository = each.value.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "PullFromOtherAccounts"
      Effect    = "Allow"
      Principal = { AWS = [for id in sort(tolist(var.pull_account_ids)) : "arn:aws:iam::${id}:root"] }
      Action    = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      Condition = { ArnLike = { "aws:PrincipalArn" = [for id in sort(tolist(var.pull_account_ids)) : "arn:aws:iam::${id}:role/praxis-*"] } }
    }]
  })
}
