namespace Post.Quic.Engine.Paths;

/// <summary>What a network of a path is good for, as the layer above is told; see <see cref="QuicPathState"/>.</summary>
internal enum PathState : byte
{
    Validating,
    Available,
    Backup,
    Suspect,
    Failing,
    Unreachable,
    Left,
    Abandoned,
}
