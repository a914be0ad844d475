using BenchmarkDotNet.Running;
using Post.Quic.Benchmarks;

if (args is ["micro", ..])
{
    BenchmarkSwitcher.FromAssembly(typeof(BenchProgram).Assembly).Run(args[1..]);
    return 0;
}

using var interrupted = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    // The first time, what was measured so far is still reported; the second time ends the program.
    pressed.Cancel = !interrupted.IsCancellationRequested;
    interrupted.Cancel();
};
return await BenchProgram.RunAsync(args, Console.Out, Console.Error, interrupted.Token);
