using Post.Quic.Benchmarks;
using Post.Quic.Benchmarks.Cases;

namespace Post.Quic.Tests.Benchmarks;

[TestClass]
public sealed class CommandLineTests
{
    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    [DataRow("object-rat", "Did you mean object-rate or object-rate-64")]
    [DataRow("nonsense", "--list shows all")]
    [DataRow("all --engines managed,quiche", "There is no engine 'quiche'. The engines are managed, system-net-quic, tls")]
    [DataRow("all --runs many", "'--runs'")]
    [DataRow("all --runs 0", "numbers are positive")]
    [DataRow("all --runs", "'--runs'")]
    [DataRow("all --verbose", "'--verbose' is no option")]
    [DataRow("all --msquic /no/such/file", "'/no/such/file', which is no file")]
    public async Task What_is_wrong_is_said_with_its_remedy_and_nothing_runs(string line, string message)
    {
        (int exitCode, string output, string errors) = await RunAsync(line);

        Assert.AreEqual(BenchProgram.WrongUsage, exitCode);
        Assert.Contains(message, errors);
        Assert.AreEqual("", output);
    }

    [TestMethod]
    [DataRow("--list")]
    [DataRow("--help")]
    [DataRow("")]
    public async Task The_list_says_of_each_case_what_it_measures_and_what_not(string line)
    {
        (int exitCode, string output, _) = await RunAsync(line);

        Assert.AreEqual(0, exitCode);
        string words = string.Join(' ', output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        foreach (BenchCase known in CaseCatalog.All)
        {
            Assert.Contains($"{known.Name} {known.Measures} Not in it: {known.Excludes}", words);
        }
    }

    private async Task<(int ExitCode, string Output, string Errors)> RunAsync(string line)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        int exitCode = await BenchProgram.RunAsync(
            line.Split(' ', StringSplitOptions.RemoveEmptyEntries), output, errors, TestContext.CancellationToken);
        return (exitCode, output.ToString(), errors.ToString());
    }
}
