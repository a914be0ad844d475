using Post.Quic.Benchmarks;
using Post.Quic.Benchmarks.Payloads;

namespace Post.Quic.Tests.Benchmarks;

/// <summary>What the benchmarks check of what arrives: an engine that loses, doubles or changes bytes must not look fast.</summary>
[TestClass]
public sealed class TallyTests
{
    private const int Length = 300_000;

    [TestMethod]
    public async Task Large_objects_whose_pieces_come_in_turns_are_right()
    {
        var tally = new PatternTally(2, Length);
        for (int offset = 0; offset < Length; offset += 1000)
        {
            tally.Take(1, Pattern.At(1 + offset, 1000).Span, isLast: offset + 1000 == Length);
            tally.Take(0, Pattern.At(offset, 1000).Span, isLast: false);
        }

        Assert.IsFalse(tally.Completion.IsCompleted, "the end of one is missing");
        tally.Take(0, default, isLast: true);

        await tally.Completion;
        Assert.AreEqual(2L * Length, tally.Bytes);
    }

    [TestMethod]
    [DataRow(64 * 1024, DisplayName = "a block of 64 KiB is missing")]
    [DataRow(1, DisplayName = "a byte is missing")]
    public void A_gap_is_noticed(int gap)
    {
        var tally = new PatternTally(1, Length);

        tally.Take(0, Pattern.At(0, 100_000).Span, isLast: false);
        tally.Take(0, Pattern.At(100_000 + gap, 1000).Span, isLast: false);

        AssertIsWrong(tally.Completion);
    }

    [TestMethod]
    public void An_object_that_ends_too_early_or_too_late_is_noticed()
    {
        var shortened = new PatternTally(1, Length);
        shortened.Take(0, Pattern.At(0, 1000).Span, isLast: true);
        AssertIsWrong(shortened.Completion);

        var lengthened = new PatternTally(1, 1000);
        lengthened.Take(0, Pattern.At(0, 1001).Span, isLast: false);
        AssertIsWrong(lengthened.Completion);
    }

    [TestMethod]
    public void The_bytes_of_another_object_are_noticed()
    {
        var tally = new PatternTally(2, Length);

        tally.Take(1, Pattern.At(0, 1000).Span, isLast: false);

        AssertIsWrong(tally.Completion);
    }

    [TestMethod]
    public async Task Small_objects_are_counted_each()
    {
        var objects = new SmallObjects(3, 100);
        var tally = new SmallObjectTally(objects, 5);
        foreach (int i in new[] { 4, 0, 3, 2, 1 })
        {
            Assert.IsFalse(tally.Completion.IsCompleted);
            tally.Take(objects[i].Span);
        }

        await tally.Completion;
    }

    [TestMethod]
    public void A_small_object_too_many_is_noticed()
    {
        var objects = new SmallObjects(3, 100);
        var tally = new SmallObjectTally(objects, 5);

        tally.Take(objects[2].Span);
        tally.Take(objects[2].Span);

        AssertIsWrong(tally.Completion);
    }

    [TestMethod]
    [DataRow(0)]
    [DataRow(50)]
    [DataRow(99)]
    public void A_changed_byte_of_a_small_object_is_noticed(int at)
    {
        var objects = new SmallObjects(3, 100);
        var tally = new SmallObjectTally(objects, 5);
        byte[] changed = objects[1].ToArray();
        changed[at] ^= 0x40;

        tally.Take(changed);

        AssertIsWrong(tally.Completion);
    }

    [TestMethod]
    public async Task What_a_pattern_stream_gives_is_the_pattern()
    {
        using var stream = new PatternStream(phase: 1, Length);
        var tally = new PatternTally(2, Length);
        byte[] buffer = new byte[7777];
        int count;
        while ((count = await stream.ReadAsync(buffer)) > 0)
        {
            tally.Take(1, buffer.AsSpan(0, count), isLast: false);
        }

        Assert.AreEqual(Length, tally.Bytes);
        Assert.IsFalse(tally.Completion.IsFaulted);
    }

    private static void AssertIsWrong(Task completion) =>
        Assert.IsInstanceOfType<WrongBytesException>(completion.Exception?.InnerException);
}
