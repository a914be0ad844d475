using Post.Quic.Engine.Lanes;

namespace Post.Quic.Engine;

/// <summary>
/// A set of paths, named by their <see cref="QuicPath.PathId"/>. Ids are never used again, so that a set means the same for the life of a
/// connection; it may name paths that are gone, or not there yet. It does not change, and may be shared by any number of streams and
/// datagrams: those with equal sets are kept together, so use few different ones.
/// </summary>
public sealed class QuicPathSet : IEquatable<QuicPathSet>
{
    private QuicPathSet(PathSet value) => Value = value;

    /// <summary>Every path: what is used where nothing else is said.</summary>
    public static QuicPathSet Any { get; } = new(PathSet.Any);

    internal PathSet Value { get; }

    /// <summary>These paths and no others. While none of them is there, nothing is sent.</summary>
    /// <param name="pathIds">Their ids, 0 to 2^32-1.</param>
    /// <exception cref="ArgumentOutOfRangeException">An id is out of its range.</exception>
    public static QuicPathSet Only(params ReadOnlySpan<long> pathIds) => Create(PathSetKind.Only, pathIds);

    /// <summary>Every path but these. While there is no other, nothing is sent.</summary>
    /// <param name="pathIds">Their ids, 0 to 2^32-1.</param>
    /// <exception cref="ArgumentOutOfRangeException">An id is out of its range.</exception>
    public static QuicPathSet AllBut(params ReadOnlySpan<long> pathIds) => Create(PathSetKind.AllBut, pathIds);

    /// <summary>These paths while one of them works, and every other path while none does. While one works that is full, the others are not used.</summary>
    /// <param name="pathIds">Their ids, 0 to 2^32-1.</param>
    /// <exception cref="ArgumentOutOfRangeException">An id is out of its range.</exception>
    public static QuicPathSet Preferring(params ReadOnlySpan<long> pathIds) => Create(PathSetKind.Preferring, pathIds);

    /// <summary>What is in the set may go by the path.</summary>
    /// <param name="pathId">Its id.</param>
    public bool Allows(long pathId) => pathId is >= 0 and <= uint.MaxValue && Value.Allows((uint)pathId);

    /// <inheritdoc/>
    public bool Equals(QuicPathSet? other) => other is not null && Value.Equals(other.Value);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as QuicPathSet);

    /// <inheritdoc/>
    public override int GetHashCode() => Value.GetHashCode();

    /// <summary>The kind of the set and its ids.</summary>
    public override string ToString() => Value.Kind == PathSetKind.Any ? "any path" : $"{Value.Kind} {string.Join(", ", Value.Ids.ToArray())}";

    private static QuicPathSet Create(PathSetKind kind, ReadOnlySpan<long> pathIds)
    {
        uint[] ids = new uint[pathIds.Length];
        for (int i = 0; i < ids.Length; i++)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(pathIds[i], nameof(pathIds));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(pathIds[i], uint.MaxValue, nameof(pathIds));
            ids[i] = (uint)pathIds[i];
        }

        return new QuicPathSet(new PathSet(kind, ids));
    }
}
