namespace Post.Sockets.Paths;

/// <summary>One thing that the path manager wants done.</summary>
/// <param name="Kind">What.</param>
/// <param name="Way">The way to open a path over, or to move to; null for others.</param>
/// <param name="PathId">The path to close or to change; 0 for others.</param>
internal readonly record struct PathAction(PathActionKind Kind, Way? Way, long PathId);
