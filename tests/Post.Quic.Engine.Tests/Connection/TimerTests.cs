using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tests.Connections;

/// <summary>The small parts that say when something is due: timer table, idle timer, and answers while closing.</summary>
[TestClass]
public sealed class TimerTests
{
    [TestMethod]
    public void The_next_timer_is_the_minimum_after_any_change()
    {
        foreach (ulong seed in new ulong[] { 1, 2, 3 })
        {
            var random = new Random((int)seed);
            var table = new TimerTable();
            var model = new long[(int)TimerId.Count];
            Array.Fill(model, long.MaxValue);
            for (int i = 0; i < 5000; i++)
            {
                int timer = random.Next(model.Length);
                long time = random.Next(8) == 0 ? long.MaxValue : random.Next(50);
                if (random.Next(4) == 0)
                {
                    Assert.AreEqual(model[timer] <= time, table.TryExpire((TimerId)timer, time), $"seed {seed}, step {i}");
                    model[timer] = model[timer] <= time ? long.MaxValue : model[timer];
                }
                else
                {
                    table.Set((TimerId)timer, time);
                    model[timer] = time;
                }

                Assert.AreEqual(model.Min(), table.Next, $"seed {seed}, step {i}");
            }

            table.StopAll();
            Assert.AreEqual(long.MaxValue, table.Next);
        }
    }

    [TestMethod]
    public void The_smaller_idle_timeout_of_both_holds_and_zero_means_none()
    {
        var idle = new IdleTimer(timeout: 1000, keepAlive: long.MaxValue, now: 0);
        idle.SetPeerTimeout(0);
        Assert.AreEqual(1000, idle.Deadline(1));
        idle.SetPeerTimeout(400);
        Assert.AreEqual(400, idle.Deadline(1));
        idle.SetPeerTimeout(700);
        Assert.AreEqual(400, idle.Deadline(1));
        Assert.AreEqual(600, idle.Deadline(200), "three probe timeouts at least");
        var never = new IdleTimer(long.MaxValue, long.MaxValue, 0);
        Assert.AreEqual(long.MaxValue, never.Deadline(200));
        never.SetPeerTimeout(700);
        Assert.AreEqual(700, never.Deadline(1));
    }

    [TestMethod]
    public void Only_the_first_packet_sent_after_one_received_restarts_the_idle_timer()
    {
        var idle = new IdleTimer(1000, 300, 0);
        idle.OnReceived(100);
        Assert.AreEqual(1100, idle.Deadline(1));
        idle.OnAckElicitingSent(200);
        Assert.AreEqual(1200, idle.Deadline(1));
        idle.OnAckElicitingSent(500);
        Assert.AreEqual(1200, idle.Deadline(1));
        Assert.AreEqual(800, idle.KeepAliveDeadline);
        idle.OnReceived(600);
        idle.OnAckElicitingSent(700);
        Assert.AreEqual(1700, idle.Deadline(1));
    }

    [TestMethod]
    public void While_closing_each_answer_waits_for_twice_as_many_packets()
    {
        var closing = new Closing();
        closing.Begin(new ConnectionCloseInfo(CloseSource.Local, true, 7, 0, "bye"), announce: true);
        closing.OnSent();
        var answered = new List<int>();
        for (int i = 1; i <= 100; i++)
        {
            closing.OnPacketWhileClosing();
            if (closing.HasDataToSend)
            {
                answered.Add(i);
                closing.OnSent();
            }
        }

        CollectionAssert.AreEqual(new[] { 1, 3, 7, 15, 31, 63 }, answered);
    }

    [TestMethod]
    [DataRow(0)]
    [DataRow(2)]
    [DataRow(3)]
    public void The_reason_of_the_application_is_shown_under_1_RTT_keys_only(int keys)
    {
        var level = (EncryptionLevel)keys;
        var closing = new Closing();
        closing.Begin(new ConnectionCloseInfo(CloseSource.Local, true, 7, 0, "secret"), announce: true);
        var writer = new WireWriter(new byte[100]);
        Assert.IsTrue(closing.TryWrite(level, ref writer));
        bool shown = writer.Written.IndexOf("secret"u8) >= 0;
        Assert.AreEqual(level == EncryptionLevel.Application, shown);
        Assert.AreEqual(shown ? 0x1d : 0x1c, writer.Written[0]);
        Assert.AreEqual(shown ? 7 : (byte)TransportErrorCode.ApplicationError, writer.Written[1]);
    }
}
