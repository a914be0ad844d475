using System.Numerics;

namespace Post.Quic.Engine.Streams;

/// <summary>How many bytes are to be sent, by how urgent they are: classes count together whose numbers are of one order.</summary>
internal sealed class DueBytes
{
    private long[] _sums = [];

    public void Add(int urgencyClass, long bytes)
    {
        int order = Order(urgencyClass);
        if (order >= _sums.Length)
        {
            // Few classes are in use, and mostly the first ones.
            Array.Resize(ref _sums, order + 1);
        }

        _sums[order] += bytes;
    }

    /// <summary>Bytes of a class, and of all that are more urgent.</summary>
    public long UpTo(int urgencyClass)
    {
        long sum = 0;
        foreach (long bytes in _sums.AsSpan(0, Math.Min(_sums.Length, Order(urgencyClass) + 1)))
        {
            sum += bytes;
        }

        return sum;
    }

    private static int Order(int urgencyClass) => BitOperations.Log2((uint)urgencyClass + 1);
}
