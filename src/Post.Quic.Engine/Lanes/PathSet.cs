namespace Post.Quic.Engine.Lanes;

/// <summary>The paths that something may be sent by, named by their ids. It does not change.</summary>
internal sealed class PathSet : IEquatable<PathSet>
{
    private readonly uint[] _ids;

    /// <param name="kind">What the ids mean.</param>
    /// <param name="ids">In any order, repeated or not.</param>
    public PathSet(PathSetKind kind, params ReadOnlySpan<uint> ids)
    {
        Kind = kind;
        _ids = ids.ToArray();
        Array.Sort(_ids);
    }

    public static PathSet Any { get; } = new(PathSetKind.Any);

    public PathSetKind Kind { get; }

    public ReadOnlySpan<uint> Ids => _ids;

    /// <summary>What the set is of may go by the path.</summary>
    public bool Allows(uint pathId) => Kind switch
    {
        PathSetKind.Only => Contains(pathId),
        PathSetKind.AllBut => !Contains(pathId),
        _ => true,
    };

    /// <summary>The path comes before those that are allowed, too.</summary>
    public bool Prefers(uint pathId) => Kind == PathSetKind.Preferring && Contains(pathId);

    public bool Equals(PathSet? other) =>
        ReferenceEquals(this, other) || (other is not null && Kind == other.Kind && _ids.AsSpan().SequenceEqual(other._ids));

    public override bool Equals(object? obj) => Equals(obj as PathSet);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.Add(Kind);
        foreach (uint id in _ids)
        {
            hash.Add(id);
        }

        return hash.ToHashCode();
    }

    private bool Contains(uint pathId) => Array.BinarySearch(_ids, pathId) >= 0;
}
