namespace Post.Sockets.Protocol;

/// <summary>The value of HELLO's <c>held</c>: unfinished objects by ascending id, each as the gap to the one before and the position.</summary>
internal sealed class HeldObjects : IEquatable<HeldObjects>
{
    private readonly HeldObject[] _objects;

    private HeldObjects(HeldObject[] objects) => _objects = objects;

    public static HeldObjects None { get; } = new([]);

    public int Count => _objects.Length;

    public ReadOnlySpan<HeldObject> All => _objects;

    /// <summary>Takes at most <see cref="ProtocolLimits.MaxHeldObjects"/> objects with different ids, in any order.</summary>
    public static HeldObjects Of(IEnumerable<HeldObject> objects)
    {
        HeldObject[] sorted = [.. objects.OrderBy(static one => one.Id)];
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sorted.Length, ProtocolLimits.MaxHeldObjects, nameof(objects));
        return sorted.Length == 0 ? None : new HeldObjects(sorted);
    }

    public static bool TryParse(ReadOnlySpan<byte> value, out HeldObjects held)
    {
        held = None;
        var objects = new List<HeldObject>();
        var reader = new PostReader(value);
        long next = 0;
        do
        {
            // Both numbers have 62 bits, so their sum has no more than 63.
            if (objects.Count == ProtocolLimits.MaxHeldObjects
                || !reader.TryReadInteger(out long gap)
                || !reader.TryReadInteger(out long position)
                || next + gap > PostInteger.MaxValue)
            {
                return false;
            }

            objects.Add(new HeldObject(next + gap, position));
            next += gap + 1;
        }
        while (!reader.IsAtEnd);

        held = new HeldObjects([.. objects]);
        return true;
    }

    public int Length()
    {
        var length = 0;
        long next = 0;
        foreach (var (id, position) in _objects)
        {
            length += PostInteger.Length(id - next) + PostInteger.Length(position);
            next = id + 1;
        }

        return length;
    }

    public void Write(ref PostWriter writer)
    {
        long next = 0;
        foreach (var (id, position) in _objects)
        {
            writer.WriteInteger(id - next);
            writer.WriteInteger(position);
            next = id + 1;
        }
    }

    public bool Equals(HeldObjects? other) => other is not null && All.SequenceEqual(other.All);

    public override bool Equals(object? obj) => Equals(obj as HeldObjects);

    public override int GetHashCode() => Count;

    public override string ToString() => string.Join(' ', _objects.Select(static one => $"{one.Id}@{one.Position}"));
}
