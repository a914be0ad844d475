using CsCheck;
using Post.Quic.Engine.Streams;
using Post.Quic.Testing;

namespace Post.Quic.Engine.Tests.Streams;

/// <summary>Random operations on a send buffer, against a byte-by-byte model of what each offset's state is.</summary>
[TestClass]
public sealed class SendBufferModelTests
{
    private static readonly Gen<(int Kind, int A, int B)[]> Operations =
        Gen.Select(Gen.Int[0, 6], Gen.Int[0, 1000], Gen.Int[0, 1000]).Array[1, 120];

    [TestMethod]
    public void A_send_buffer_agrees_with_its_model() => Operations.SampleSeeded(Run, iter: 1000);

    private static void Run((int Kind, int A, int B)[] operations)
    {
        var pool = new BlockPool();
        var buffer = new SendBuffer(pool) { CopyCapacity = 2000 };
        var model = new Model();
        foreach ((int kind, int a, int b) in operations)
        {
            switch (kind)
            {
                case 0 when !model.Finished:
                    byte[] copied = model.NextBytes(a);
                    int taken = buffer.AppendCopy(copied);
                    Assert.AreEqual(Math.Min(copied.Length, buffer.CopyRoom + taken), taken);
                    model.Write(copied.AsSpan(0, taken));
                    break;
                case 1 or 2:
                    Send(buffer, model, a, b);
                    break;
                case 3 when model.Sent.Count > 0:
                    (int Start, int Length, bool Fin) acked = model.Sent[a % model.Sent.Count];
                    buffer.OnAcked((ulong)acked.Start, (uint)acked.Length, acked.Fin);
                    model.Ack(acked);
                    break;
                case 4 when model.Sent.Count > 0:
                    (int Start, int Length, bool Fin) lost = model.Sent[a % model.Sent.Count];
                    buffer.OnLost((ulong)lost.Start, (uint)lost.Length, lost.Fin);
                    model.Lose(lost);
                    break;
                case 5 when a < 100 && !model.Finished:
                    buffer.Finish();
                    model.Finished = true;
                    break;
            }

            model.AgreesWith(buffer);
        }

        // Whatever happened, the stream can be finished and everything comes home.
        buffer.Finish();
        model.Finished = true;
        while (buffer.TryGetNext(ulong.MaxValue, out _))
        {
            Send(buffer, model, int.MaxValue, 700);
        }

        foreach ((int Start, int Length, bool Fin) sent in model.Sent)
        {
            buffer.OnAcked((ulong)sent.Start, (uint)sent.Length, sent.Fin);
        }

        Assert.IsTrue(buffer.IsComplete);
        Assert.AreEqual(0, pool.RentedBytes);
        Assert.AreEqual(0, buffer.CopiedBytes);
    }

    private static void Send(SendBuffer buffer, Model model, int credit, int most)
    {
        if (!buffer.TryGetNext((ulong)credit, out OffsetRange range))
        {
            Assert.IsFalse(model.HasSomethingFor(credit));
            return;
        }

        int length = (int)Math.Min(range.Length, (ulong)(most + 1));
        var bytes = new byte[length];
        buffer.CopyTo(range.Start, bytes);
        bool fin = buffer.EndsAt(range.Start + (ulong)length);
        buffer.OnSent(range.Start, length, fin);
        model.Send((int)range.Start, bytes, fin, credit);
    }

    private sealed class Model
    {
        private readonly List<byte> _bytes = [];
        private readonly List<char> _states = [];
        private bool _finLost;
        private bool _finAcked;

        public List<(int Start, int Length, bool Fin)> Sent { get; } = [];

        public bool Finished { get; set; }

        private bool FinSent { get; set; }

        public byte[] NextBytes(int count) =>
            [.. Enumerable.Range(_bytes.Count, count).Select(i => (byte)(i * 31 >> 3))];

        public void Write(ReadOnlySpan<byte> bytes)
        {
            foreach (byte b in bytes)
            {
                _bytes.Add(b);
                _states.Add('u');
            }
        }

        public void Send(int start, byte[] bytes, bool fin, int credit)
        {
            bool repair = _states.Contains('l');
            CollectionAssert.AreEqual(_bytes.GetRange(start, bytes.Length), bytes);
            for (int i = start; i < start + bytes.Length; i++)
            {
                Assert.AreEqual(repair ? 'l' : 'u', _states[i], $"offset {i}");
                Assert.IsTrue(repair || i < credit, "new data beyond the credit");
                _states[i] = 's';
            }

            Assert.AreEqual(Finished && start + bytes.Length == _bytes.Count, fin);
            FinSent |= fin;
            _finLost &= !fin;
            Sent.Add((start, bytes.Length, fin));
        }

        public void Ack((int Start, int Length, bool Fin) frame)
        {
            for (int i = frame.Start; i < frame.Start + frame.Length; i++)
            {
                _states[i] = 'a';
            }

            _finAcked |= frame.Fin;
            _finLost &= !_finAcked;
        }

        public void Lose((int Start, int Length, bool Fin) frame)
        {
            for (int i = frame.Start; i < frame.Start + frame.Length; i++)
            {
                if (_states[i] == 's')
                {
                    _states[i] = 'l';
                }
            }

            _finLost |= frame.Fin && !_finAcked;
        }

        public bool HasSomethingFor(int credit)
        {
            int unsent = _states.IndexOf('u');
            return _states.Contains('l') || _finLost || (unsent >= 0 && unsent < credit)
                || (Finished && !FinSent && unsent < 0);
        }

        public void AgreesWith(SendBuffer buffer)
        {
            int firstUnacked = _states.FindIndex(s => s != 'a');
            Assert.AreEqual(firstUnacked < 0 ? _states.Count : firstUnacked, (int)buffer.AckedOffset);
            Assert.AreEqual(_states.Contains('l') || _finLost, buffer.HasLost);
            Assert.AreEqual(_states.Count(s => s == 'u'), (int)buffer.UnsentBytes);
            Assert.AreEqual(_finAcked && firstUnacked < 0, buffer.IsComplete);
        }
    }
}
