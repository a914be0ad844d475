using System.Numerics;

namespace Post.Quic.Engine.Streams;

/// <summary>How many bytes are to be sent, by how urgent they are: classes count together whose numbers are of one order.</summary>
internal sealed class DueBytes
{
    private readonly long[] _sums = new long[8 * sizeof(int)];

    public void Add(int urgencyClass, long bytes) => _sums[Order(urgencyClass)] += bytes;

    /// <summary>Bytes of a class, and of all that are more urgent.</summary>
    public long UpTo(int urgencyClass)
    {
        long sum = 0;
        foreach (long bytes in _sums.AsSpan(0, Order(urgencyClass) + 1))
        {
            sum += bytes;
        }

        return sum;
    }

    private static int Order(int urgencyClass) => BitOperations.Log2((uint)urgencyClass + 1);
}
