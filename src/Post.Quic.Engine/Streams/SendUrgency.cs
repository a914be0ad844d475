namespace Post.Quic.Engine.Streams;

/// <summary>
/// Where something stands in the one order of priority that streams and datagrams share: class first (0 is the most
/// urgent), then the earlier deadline (<see cref="long.MaxValue"/>: none).
/// </summary>
internal readonly record struct SendUrgency(int Class, long Deadline) : IComparable<SendUrgency>
{
    public static SendUrgency Default => new(0, long.MaxValue);

    /// <summary>After everything else.</summary>
    public static SendUrgency Last => new(int.MaxValue, long.MaxValue);

    public int CompareTo(SendUrgency other) =>
        Class != other.Class ? Class.CompareTo(other.Class) : Deadline.CompareTo(other.Deadline);

    public static bool operator <(SendUrgency left, SendUrgency right) => left.CompareTo(right) < 0;

    public static bool operator >(SendUrgency left, SendUrgency right) => left.CompareTo(right) > 0;

    public static bool operator <=(SendUrgency left, SendUrgency right) => left.CompareTo(right) <= 0;

    public static bool operator >=(SendUrgency left, SendUrgency right) => left.CompareTo(right) >= 0;
}
